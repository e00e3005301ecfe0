//! The examples on the pages of the rules, checked by the webhook.

use mirrorguard_core::config;
use serde_json::Value;

use super::{Answer, Webhook, review_of};
use crate::pages::{Example, Expected, examples_of_writes};

#[tokio::test]
async fn the_webhook_answers_the_examples_of_every_page_as_documented() {
    for example in examples_of_writes() {
        let (there, written) = example.write();
        let answers = reviews(&example, &there, &written).await;
        let verdict = verdict(&answers, example.rule);
        assert_eq!(verdict, example.expected, "{}", example.place());
        if example.expected != Expected::Denied {
            assert!(answers.iter().all(Answer::is_allowed), "{}: {:?}", example.place(), answers[0].0);
        }
    }
}

/// The strongest verdict of a rule in these answers.
fn verdict(answers: &[Answer], rule: &str) -> Expected {
    let mut verdict = Expected::Allowed;
    for answer in answers {
        if !answer.is_allowed() && answer.denied_by().iter().any(|found| found == rule) {
            return Expected::Denied;
        }
        if answer.warned_by().iter().any(|found| found == rule) {
            verdict = Expected::Warned;
        }
    }
    verdict
}

/// Kind, namespace and name of an object.
fn id(object: &Value) -> [String; 3] {
    let metadata = &object["metadata"];
    [&object["kind"], &metadata["namespace"], &metadata["name"]].map(Value::to_string)
}

/// The answers of every webhook that an API server calls for the write.
async fn reviews(example: &Example, there: &[Value], written: &Value) -> Vec<Answer> {
    let settings = config::parse("settings", &example.settings).unwrap();
    let documents: Vec<_> = there.iter().map(Value::to_string).collect();
    let webhook = Webhook::with_settings(&documents.join("\n---\n"), settings);
    let old = there.iter().rfind(|object| id(object) == id(written)).cloned().unwrap_or_default();
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
