"""`elasticlake demo`: a server, a receiver, an upload and its delivery, in one terminal."""
