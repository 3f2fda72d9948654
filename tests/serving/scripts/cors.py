"""Headers of its own, by raw HTTP: what pages of other origins needed."""

from azureml.contrib.services.aml_request import rawhttp
from azureml.contrib.services.aml_response import AMLResponse


def init():
    print("This is init()")


@rawhttp
def run(request):
    print("This is run()")
    print(f"Request: [{request}]")
    if request.method == "POST":
        reqBody = request.get_data(False)
        resp = AMLResponse(reqBody, 200)
        resp.headers["Access-Control-Allow-Origin"] = "http://www.example.com"
        resp.headers["Access-Control-Allow-Headers"] = "*"
        return resp
    return AMLResponse("bad request", 500)
