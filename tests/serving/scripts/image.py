"""A file in a form, by raw HTTP."""

import json

from azureml.contrib.services.aml_request import AMLRequest, rawhttp
from azureml.contrib.services.aml_response import AMLResponse


def init():
    print("This is init()")
    assert AMLRequest


@rawhttp
def run(request):
    print("This is run()")
    if request.method == "GET":
        # For this example, just return the URL for GETs.
        respBody = str.encode(request.full_path)
        return AMLResponse(respBody, 200)
    elif request.method == "POST":
        file_bytes = request.files["image"]
        content = file_bytes.read()
        return AMLResponse(json.dumps([len(content), file_bytes.filename, request.form.get("note")]), 200)
    else:
        return AMLResponse("bad request", 500)
