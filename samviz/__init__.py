"""samviz: see, teach and test sharpness-aware minimization (SAM, ASAM, SAM-ON)."""

__version__ = "0.1.0"
