"""Data sets: images as bytes, with where they came from. NumPy only; a download needs pooch."""

from samviz.data.catalog import DatasetStatus, load, status
from samviz.data.fetch import ARCHIVES, download
from samviz.data.images import Images, subset

__all__ = ["ARCHIVES", "DatasetStatus", "Images", "download", "load", "status", "subset"]
