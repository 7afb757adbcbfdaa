"""What runs on a camera unit: SENSE, which sees and has no network, and RELAY, which has one and sees nothing."""
