"""Numbers to plotly figures: each has a `..._data` function (plain arrays) and a `..._figure` one (plain dicts)."""
