"""Measuring colorizers against true photographs and against simple rules."""
