"""The technician's page on the gateway: a phone at an open cabinet, in French first, without any network but ours."""
