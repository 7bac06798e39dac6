"""The proof of the shipped documents: the whole finite domain, what must hold in it, and mutants it must notice."""
