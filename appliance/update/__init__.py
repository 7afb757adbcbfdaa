"""Updates: one signed bundle of system, product and models; offered by the hub, undone by itself."""
