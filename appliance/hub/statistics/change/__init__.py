"""What has changed: a camera that is wrong, or a street that is different."""
