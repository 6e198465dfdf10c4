"""The app: a page in the browser. `service` does the work and knows no web framework, `web` is the page."""
