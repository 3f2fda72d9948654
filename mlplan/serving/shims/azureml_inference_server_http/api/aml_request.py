"""What azureml.contrib.services.aml_request offers."""

from azureml.contrib.services.aml_request import AMLRequest, rawhttp  # type: ignore[import-not-found]  # a worker's path

__all__ = ["AMLRequest", "rawhttp"]
