"""Folders and archives: many photographs, by worker processes or a cluster, resumable at any moment."""
