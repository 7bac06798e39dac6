"""The audit log: sealed entries, a Merkle tree, signed checkpoints, witnesses and an independent verifier."""
