"""Error codes of the API with their titles (reference 5.1) and HTTP statuses (reference 4.9).

Web and core answer with the same errors, so that the web can pass a core's error on as it is.
"""

from __future__ import annotations

TITLES: dict[int, str] = {
    1000: "Generic error",
    1001: "Message too long",
    1002: "Invalid recipient type",
    1003: "Not a group participant",
    1004: "Resource already exists",
    1005: "Access denied",
    1006: "Resource not found",
    1007: "Recipient blocked to receive message",
    1008: "Required parameter is missing",
    1009: "Parameter value is not valid",
    1010: "Parameter is not required",
    1011: "Service not ready",
    1012: "Group is unknown",
    1013: "User is not valid",
    1014: "Internal error",
    1015: "Too many requests",
    1016: "System overloaded",
    1017: "Not Primary Master",
    1018: "Not Primary Coreapp",
    1021: "Bad User",
    1022: "Webhooks URL is not configured",
    1023: "Database error occurred",
    1024: "Password Change Required",
    1025: "Invalid Request",
    1026: "Receiver incapable",
    1028: "user_identity_changed needs acknowledgement",
    1031: "Sender account has been locked",
    2000: "Template Param Count Mismatch",
    2001: "Template Missing",
    2002: "Template Fetch Failed",
    2003: "Template Pack Missing",
    2004: "Template Param Length Too Long",
    2005: "Template Hydrated Text Too Long",
    2006: "Template White Space Policy Violated",
    2007: "Template Format Character Policy Violated",
    2008: "Template Media Format Unsupported",
    2009: "Required Component in the Template is Missing",
    2010: "Invalid Hydrated URL",
    2011: "Invalid Phone Number",
    2012: "Parameter Format Mismatch",
    2013: "Buttons Unsupported",
    2014: "Expected Namespace is Empty",
    2015: "Invalid number of sections",
    2016: "Invalid number of rows",
    2017: "Character Policy Violated",
    2023: "Invalid number of product",
    2024: "Catalog ID not found",
    2025: "Catalog not linked",
    2026: "Missing products",
    2027: "No products found",
    2028: "Compliance failure",
    2029: "Compliance failure",
    2030: "Compliance failure",
    2036: "Invalid Header Structure",
    2050: "Missing Compliance Info",
    2060: "Template Rejected",
    2061: "Template Paused",
    2062: "Template Disabled",
    2068: "Flow blocked",
    2069: "Flow throttled",
}

_STATUS: dict[int, int] = {
    **dict.fromkeys((1000, 1014, 1023), 500),
    **dict.fromkeys((1011, 1016, 1017, 1018), 503),
    1004: 409,
    1005: 403,
    1006: 404,
    1012: 404,
    1015: 429,
    1024: 401,
}

MESSAGE_TITLES: dict[int, str] = {
    400: "Media download error",
    401: "Group missing",
    402: "Payment issue",
    408: "Message is not valid",
    410: "Message expired",
    429: "Rate limit hit",
    430: "Unsigned certificate",
    432: "Certificate id mismatch",
    433: "Certificate signature invalid",
    470: "Re-engagement message",
    471: "Spam rate limit hit",
    472: "User is part of an experiment",
    480: "User potentially changed",
    500: "Generic error",
    501: "Message type is not supported",
}
"""Errors of a single message, reported by callbacks alone (5.2)."""

NOT_INSTANTIATED = "Wacore is not instantiated. Please check wacore log for details."


def title(code: int) -> str:
    """The title of a code; unknown codes are generic errors."""
    return TITLES.get(code, TITLES[1000])


def message_title(code: int) -> str:
    """The title of a code in a callback, which may be one of either list."""
    return MESSAGE_TITLES.get(code) or title(code)


def status(code: int) -> int:
    """The HTTP status an error code travels with; 400 for every code about the request itself."""
    return _STATUS.get(code, 400)
