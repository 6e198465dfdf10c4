"""Tests of the app; a package, because they share `helpers`."""
