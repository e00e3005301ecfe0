//! The examples on the rules' pages, as the webhook judges them.

use mirrorguard_core::config;
use serde_json::Value;

use super::{Answer, Webhook, review_of};
use crate::pages::{Example, Expected, examples_of_writes};

#[tokio::test]
async fn the_webhook_judges_the_examples_of_every_page_as_they_say() {
    for example in examples_of_writes() {
        let (there, written) = example.write();
        let answers = ask(&example, &there, &written).await;
        let found = |rules: &dyn Fn(&Answer) -> Vec<String>| {
            answers.iter().any(|answer| rules(answer).iter().any(|rule| rule == example.rule))
        };
        let verdict = if found(&|answer| if answer.is_allowed() { Vec::new() } else { answer.denied_by() }) {
            Expected::Denied
        } else if found(&Answer::warned_by) {
            Expected::Warned
        } else {
            Expected::Allowed
        };
        assert_eq!(verdict, example.expected, "{}", example.place());
        if example.expected != Expected::Denied {
            assert!(answers.iter().all(Answer::is_allowed), "{}: {:?}", example.place(), answers[0].0);
        }
    }
}

/// The answers of every hook that an apiserver asks about the write.
async fn ask(example: &Example, there: &[Value], written: &Value) -> Vec<Answer> {
    let settings = config::parse("settings", &example.settings).unwrap();
    let documents: Vec<_> = there.iter().map(Value::to_string).collect();
    let webhook = Webhook::with_settings(&documents.join("\n---\n"), settings);
    let same = |object: &&Value| {
        let id = |object: &Value| {
            let metadata = &object["metadata"];
            [&object["kind"], &metadata["namespace"], &metadata["name"]].map(Value::to_string)
        };
        id(object) == id(written)
    };
    let old = there.iter().rfind(same).cloned().unwrap_or_default();
    let mut answers = Vec::new();
    let paths: &[&str] =
        if written["kind"] == "HostedCluster" { &["/mutate", "/validate"] } else { &["/validate"] };
    for path in paths {
        let (status, body) = webhook.post(path, review_of(&old, written).to_string()).await;
        assert_eq!(status, 200, "{}: {body}", example.place());
        answers.push(Answer(body["response"].clone()));
    }
    answers
}
