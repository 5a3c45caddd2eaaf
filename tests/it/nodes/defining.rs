//! What is made on one node is known on the others at once, and has nothing to do with their files.

use std::time::Duration;

use super::Cluster;

#[tokio::test]
async fn a_field_made_on_one_node_is_taken_on_the_other_within_seconds() {
    let nodes = Cluster::start(2).await;
    let run = async |node: usize, words: &[&str]| {
        let status = nodes.nodes[node].command(words).status().await.unwrap();
        assert!(status.success(), "{words:?}\n{}", nodes.nodes[node].log());
    };
    run(0, &["field", "add", "nick", "--type", "text"]).await;
    for node in [0, 1] {
        let followed = nodes.shows(node, "drumbeat_workspace_revision 2").await;
        println!("node {node} followed within {followed:?}");
        assert!(followed < Duration::from_secs(2), "{followed:?}");
        nodes.shows(node, "drumbeat_workspace_files_differ 0").await;
    }
    run(1, &["customer", "add", "ana", "nick=@ana"]).await;
    assert_eq!(
        nodes
            .number("SELECT count(*) FROM customers WHERE f_nick = '@ana'")
            .await,
        1
    );

    // Files that change later take what was made with them.
    for node in &nodes.nodes {
        node.write("flow.yaml", &super::flow("Welcome"));
    }
    for node in [0, 1] {
        nodes.shows(node, "drumbeat_workspace_revision 3").await;
        nodes.shows(node, "drumbeat_workspace_files_differ 0").await;
    }
    run(0, &["customer", "set", "ana", "nick=@an"]).await;
    assert_eq!(
        nodes
            .number("SELECT max(definitions) FROM revisions WHERE revision = 3")
            .await,
        1
    );
}
