"""The addresses of the room Onboarding."""

from __future__ import annotations

from django.urls import path

from pipshare.console import agreements, onboarding, onboarding_decide

_ONE = "onboarding/<int:number>/"
PATTERNS = [
    path("onboarding/", onboarding.applications, name="onboarding"),
    path("onboarding/agreements/", agreements.agreements, name="agreements"),
    path("onboarding/agreements/publish/", agreements.publish, name="publish_agreement"),
    path("onboarding/agreements/<int:agreement_id>/", agreements.agreement, name="agreement"),
    path(_ONE, onboarding.application, name="application"),
    path(f"{_ONE}note/", onboarding.add_note, name="application_note"),
    path(f"{_ONE}approve/", onboarding_decide.approve, name="approve_application"),
    path(f"{_ONE}reject/", onboarding_decide.reject, name="reject_application"),
    path(f"{_ONE}erase/", onboarding.erase, name="erase_applicant"),
]
