"""The Sharpness page: sharpness of trained networks, under rescaling, and slices of their loss."""

from samviz.ui import sharpness

sharpness.page()
