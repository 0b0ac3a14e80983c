"""The app around the package: router, page shell, browser components, HTTP routes."""
