"""Setting a unit up without a picture: the aiming mode of SENSE, and whoever carries out the hub's orders as root."""
