"""What the broker does, one module per verb: decide, record, act. Every await in here is on a port."""
