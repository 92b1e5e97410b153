"""What a person sees of a server that works: drawn by a process that knows nothing but its snapshots."""
