//! `mirrorguard render`.

use anyhow::Result;
use serde_json::json;

use super::{
    Answer,
    args::{RenderArgs, Target},
    input::{self, Input},
    lint,
    output::Output,
    report,
};
use crate::{
    node::{self, RegistriesConf},
    review::State,
    rules::{Level, Settings},
};

pub(super) fn run(args: &RenderArgs, output: &Output) -> Result<Answer> {
    let input = input::read(&args.paths, output)?.complete()?;
    let state: State = input.objects().cloned().collect();
    let Target::RegistriesConf = args.to;
    let Some(conf) = rendered(&input, &state, output) else { return Ok(Answer::No) };
    if output.is_json() {
        output.json(&json!({ "registriesConf": conf.to_string() }))?;
    } else {
        output.result(&conf.to_string())?;
    }
    Ok(Answer::Yes)
}

/// The file the nodes would get; where they would get none, says why and which object did it.
pub(super) fn rendered<'a>(input: &Input, state: &'a State, output: &Output) -> Option<RegistriesConf<'a>> {
    let view = state.context().view();
    let refusal = match node::validate(view)
        .map_err(|e| e.to_string())
        .and_then(|()| node::render(view).map_err(|e| e.to_string()))
    {
        Ok(conf) => return Some(conf),
        Err(refusal) => refusal,
    };
    let mut judgements = lint::judge(input, state, &Settings::default());
    for judgement in &mut judgements {
        // An ICSP next to IDMS is refused by us, not by the nodes.
        let stops_rendering = |rule: &str| rule != "icsp-alongside-idms";
        judgement
            .verdict
            .judged
            .retain(|judged| judged.level == Level::Deny && stops_rendering(judged.rule.id));
    }
    output.say(&report::human(&judgements, Output::width()));
    output.say(&format!("the nodes get no new configuration: {refusal}\n"));
    None
}
