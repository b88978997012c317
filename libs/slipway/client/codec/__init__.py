"""Proto messages to the client's values and back: pure, shared by the async and the sync client."""
