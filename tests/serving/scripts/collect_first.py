"""The first generation: its collector, and the calls that described the input, made by hand before."""

import json

import pandas
from azureml.api.realtime.services import generate_schema
from azureml.api.schema.dataTypes import DataTypes
from azureml.api.schema.sampleDefinition import SampleDefinition
from azureml.datacollector import ModelDataCollector


def init():
    global inputs_dc, prediction_dc
    inputs_dc = ModelDataCollector("model.pkl", identifier="inputs")
    prediction_dc = ModelDataCollector("model.pkl", identifier="prediction")


def run(input_df):
    input_df = pandas.DataFrame(json.loads(input_df)["input_df"])
    inputs_dc.collect(input_df)
    pred = input_df["sepal width"] > 3
    prediction_dc.collect(pred.to_numpy())
    return json.dumps(str(pred[0]))


def main():
    df = pandas.DataFrame(data=[[3.0, 3.6]], columns=["sepal length", "sepal width"])
    inputs = {"input_df": SampleDefinition(DataTypes.PANDAS, df)}
    generate_schema(run_func=run, inputs=inputs, filepath="service_schema.json")


if __name__ == "__main__":
    main()
