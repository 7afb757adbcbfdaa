"""What is read from configuration files and command lines; each value is checked before it becomes one."""
