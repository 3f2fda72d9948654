"""FastAPI as its tutorial has it: a typed body, a plain function."""

import os

import joblib
import numpy as np
from fastapi import FastAPI
from pydantic import BaseModel

model = joblib.load(os.path.join(os.path.dirname(__file__), "model", "model.pkl"))
app = FastAPI()


class Rows(BaseModel):
    data: list[list[float]]


@app.post("/score")
def score(rows: Rows):
    return {"predict": model.predict(np.array(rows.data)).tolist()}
