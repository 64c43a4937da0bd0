"""The station's uplink: wire words of contract v1, MQTT link, and the receiver for the platform side."""
