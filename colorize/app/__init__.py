"""The app: a page in the browser to colorize, correct, train and compare. `service` knows no web framework, `web` does."""
