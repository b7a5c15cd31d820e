"""The pages that every deployment's console has."""
