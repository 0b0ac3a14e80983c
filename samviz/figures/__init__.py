"""Arrays to plotly figures: for each figure a `..._data` function (plain arrays) and a `..._figure` function."""
