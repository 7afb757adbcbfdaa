"""The AsyncAPI 3 document: every topic of a booth, who may say and hear it, and the form of each payload."""
