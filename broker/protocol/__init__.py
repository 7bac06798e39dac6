"""The published language that broker, custodians and partners share."""
