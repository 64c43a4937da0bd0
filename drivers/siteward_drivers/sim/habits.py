"""What a simulated charger does where its profile says "unknown": by default the worst that it could do."""

from dataclasses import dataclass

from siteward.model.facts import OnExpiry, ResetBy
from siteward_drivers.profile_charger import ChargerPart
from siteward_drivers.profile_watchdog import OnResume


@dataclass(frozen=True, slots=True)
class Habits:
    """Behaviour of one charging point; currents in A, times in s.

    boot_a: current that it allows after its own restart; boot_silent_s: how long it does not answer then;
    boot_failsafe_a, boot_timeout_s: watchdog registers after a restart unless they persist (None = off).
    """

    reset_by: ResetBy
    on_expiry: OnExpiry
    on_resume: OnResume
    boot_a: float
    boot_failsafe_a: float
    boot_timeout_s: float | None
    charges_before_answer: bool
    pwm_s: float
    resume_s: float
    boot_silent_s: float = 5.0
    standby_after_s: float = 720.0


def habits_of(part: ChargerPart, hardware_max_a: float) -> Habits:
    """Habits by the profile; an unknown boot current is the hardware maximum, an unknown reset the limit write.

    Tests replace single fields (dataclasses.replace) to stand in for other firmware of the same box.
    """
    failsafe, boot = part.failsafe, part.boot
    reset_by = failsafe.reset_by if failsafe is not None else ResetBy.UNKNOWN
    if reset_by is ResetBy.UNKNOWN:
        reset_by = ResetBy.LIMIT_WRITE
    on_resume = failsafe.on_resume if failsafe is not None else OnResume.UNKNOWN
    return Habits(
        reset_by=reset_by,
        on_expiry=failsafe.on_expiry if failsafe is not None else OnExpiry.FAILSAFE,
        on_resume=OnResume.OLD_SET_POINT if on_resume is OnResume.UNKNOWN else on_resume,
        boot_a=hardware_max_a if boot.boot_a is None else boot.boot_a,
        boot_failsafe_a=0.0,
        boot_timeout_s=failsafe.timeout_s if failsafe is not None and boot.watchdog_at_start else None,
        charges_before_answer=boot.charges_before_answer,
        pwm_s=part.react.pwm_s,
        resume_s=part.react.resume_s,
    )
