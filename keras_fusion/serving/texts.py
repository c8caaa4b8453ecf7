"""Texts and bytes in JSON, as TensorFlow Serving has them."""

import base64


def to_json(value):
    """Nested lists whose bytes became `{"b64": ...}`."""
    if isinstance(value, list):
        return [to_json(item) for item in value]
    if isinstance(value, bytes):
        return {"b64": base64.b64encode(value).decode()}
    return value


def from_json(value):
    """Nested lists whose texts and `{"b64": ...}` became bytes.

    Raises:
        ValueError: If there is anything else.
    """
    if isinstance(value, list):
        return [from_json(item) for item in value]
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, dict) and isinstance(value.get("b64"), str):
        return base64.b64decode(value["b64"], validate=True)
    raise ValueError('Expected text or {"b64": "..."}.')
