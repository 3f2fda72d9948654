"""What azureml.contrib.services.aml_response offers."""

from azureml.contrib.services.aml_response import AMLResponse  # type: ignore[import-not-found]  # a worker's path

__all__ = ["AMLResponse"]
