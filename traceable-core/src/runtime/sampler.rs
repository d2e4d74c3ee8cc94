//! Which share of traces OpenTelemetry's variables name.

const SAMPLER: &str = "OTEL_TRACES_SAMPLER";
const ARGUMENT: &str = "OTEL_TRACES_SAMPLER_ARG";

/// The share; `None` where the variables name none, or none that is known here, which is said.
pub(super) fn from_env(variable: &dyn Fn(&str) -> Option<String>) -> Option<f64> {
    match read(variable) {
        Ok(rate) => rate,
        Err(problem) => {
            crate::notice::say(format_args!(
                "{problem}; all traces are kept, unless TRACEABLE_SAMPLE_RATE says otherwise"
            ));
            None
        }
    }
}

fn read(variable: &dyn Fn(&str) -> Option<String>) -> Result<Option<f64>, String> {
    let said = |name| variable(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
    let Some(sampler) = said(SAMPLER) else { return Ok(None) };
    let name = sampler.to_ascii_lowercase();
    match name.strip_prefix("parentbased_").unwrap_or(&name) {
        "always_on" => Ok(Some(1.0)),
        "always_off" => Ok(Some(0.0)),
        "traceidratio" => {
            let Some(share) = said(ARGUMENT) else { return Ok(Some(1.0)) };
            let rate = share.parse().ok().filter(|rate| (0.0..=1.0).contains(rate));
            rate.map(Some).ok_or_else(|| format!("{ARGUMENT} is {share:?}, but it must be a number between 0 and 1"))
        }
        _ => Err(format!(
            "{SAMPLER} is {sampler:?}, but only `always_on`, `always_off` and `traceidratio` are known here, alone or behind \
             `parentbased_`"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(sampler: &str, argument: &str) -> Result<Option<f64>, String> {
        read(&|name| Some(if name == SAMPLER { sampler } else { argument }.to_owned()))
    }

    #[test]
    fn each_sampler_is_a_share() {
        for (sampler, argument, rate) in [
            ("", "0.5", None),
            ("always_on", "0.5", Some(1.0)),
            ("always_off", "", Some(0.0)),
            ("traceidratio", "0.25", Some(0.25)),
            (" TraceIdRatio ", " 0 ", Some(0.0)),
            ("traceidratio", "", Some(1.0)),
            ("parentbased_always_on", "", Some(1.0)),
            ("parentbased_always_off", "", Some(0.0)),
            ("parentbased_traceidratio", "0.1", Some(0.1)),
        ] {
            assert_eq!(with(sampler, argument), Ok(rate), "{sampler} {argument}");
        }
    }

    #[test]
    fn what_is_not_known_is_named() {
        for sampler in ["xray", "jaeger_remote", "parentbased_", "0.5"] {
            let problem = with(sampler, "").unwrap_err();
            assert!(
                problem.contains(SAMPLER) && problem.contains(sampler) && problem.contains("traceidratio"),
                "{problem}"
            );
        }
        for argument in ["1.5", "-0.1", "half", "NaN"] {
            let problem = with("traceidratio", argument).unwrap_err();
            assert!(problem.contains(ARGUMENT) && problem.contains(argument), "{problem}");
        }
    }
}
