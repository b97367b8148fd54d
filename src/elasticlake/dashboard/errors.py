"""What each error becomes on a page: the one place that maps the domain's errors to statuses."""

from __future__ import annotations

from elasticlake import errors
from elasticlake.dashboard.forms import BadForm


class NotOurForm(errors.ElasticLakeError):
    """The form does not come from a page of this session."""

    message = "This form is too old, or comes from another site. Go back, load the page again, and send it once more."


class NoSuchPage(errors.ElasticLakeError):
    message = "There is no such page."


# An error takes the status of the first of its classes that is listed here.
STATUSES: dict[type[errors.ElasticLakeError], int] = {
    BadForm: 400,
    NotOurForm: 403,
    NoSuchPage: 404,
    errors.InvalidInput: 422,
    errors.NotFound: 404,
    errors.EventsExpired: 410,
    errors.Conflict: 409,
    errors.AccessDenied: 403,
    errors.EntityTooLarge: 413,
    errors.OutcomeUnknown: 504,
    errors.Unavailable: 503,
}


def status_of(error: errors.ElasticLakeError) -> int:
    """The HTTP status of a domain error; 500 for one that no user can cause."""
    return next((STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES), 500)
