//! Keys of worlds that contradict others, and claims that do not apply outside the theory's setting.

use crate::{accepted, refused};

#[test]
fn fails_on_worlds_that_contradict_themselves() {
    for (set, problem) in [
        (
            &["data.rare_share=0.1"][..],
            "data.rare_share = 0.1: must be 0, because data.features = 1 leaves no rare feature",
        ),
        (
            &["data.features=60"],
            "data.patterns = 128: must be at least 135, because data.features = 60, data.spurious = 0, data.tokens = 16 and \
             data.replacement = false",
        ),
        (
            &["model.groups=3"],
            "model.groups = 3: must divide half of model.experts = 16: groups are of equal size, with half of each sign",
        ),
        (
            &["model.routing=token-choice", "model.gates=renormalised"],
            "model.experts_per_token = 1: must be at least 2, because with model.gates = renormalised one gate is constant \
             and the router never moves",
        ),
        (
            &["model.routing=token-choice", "model.groups=4", "model.experts_per_token=5"],
            "model.experts_per_token = 5: must be from 1 to 4, the experts of a group",
        ),
        (
            &["training.load_balance=0.1"],
            "training.load_balance = 0.1: must be 0, because model.routing = expert-choice gives every expert the same \
             number of tokens",
        ),
        (
            &["model.capacity=1"],
            "model.capacity = 1: must be 0, because model.routing = expert-choice gives every expert the same number of \
             tokens",
        ),
        (
            &["model.routing=token-choice", "data.noise=0.1"],
            "data.noise = 0.1: must be 0, because model.routing = token-choice",
        ),
        (
            &["pretrained.kind=upstream", "pretrained.upstream_tasks=60"],
            "pretrained.upstream_tasks = 60: must be from 1 to 56, because data.features = 1, data.patterns = 128 and \
             data.tokens = 16",
        ),
        (
            &["data.coherence=0.1", "data.gram=random"],
            "data.coherence = 0.1: must be at most 0.039774756441743296, because data.gram = random and data.patterns = 128: \
             the Gram matrix is to be positive definite",
        ),
        (
            &["data.likeness=0.5", "data.relatives=64"],
            "data.relatives = 64: must be from 1 to 63, because data.patterns = 128",
        ),
        (
            &["data.likeness=0.5", "data.features=2"],
            "data.likeness = 0.5: must be 0, because relatives take the place of the first irrelevant patterns, and \
             data.features or data.spurious takes it too",
        ),
        (
            &["model.routing=token-choice", "data.coherence=0.1"],
            "data.coherence = 0.1: must be 0, because model.routing = token-choice",
        ),
        (
            &["model.routing=token-choice", "data.images=digits", "data.patterns=64"],
            "data.images = digits: must be \"none\", because model.routing = token-choice",
        ),
        (
            &["data.images=digits"],
            "data.images = digits: must be one of \"none\", \"digits\", \"fashion\", \"textures\", or a path of pictures \
             that can be cut: data.patterns must be the square of a whole number, the pixels of a patch",
        ),
        (
            &["data.images=digits", "data.patterns=36"],
            "data.images = digits: must be one of \"none\", \"digits\", \"fashion\", \"textures\", or a path of pictures \
             that can be cut: its pictures of 8 × 8 pixels can't be cut into squares of data.patterns pixels",
        ),
        (
            &["data.images=no/such/folder", "data.patterns=64"],
            "data.images = no/such/folder: must be one of \"none\", \"digits\", \"fashion\", \"textures\", or a path of \
             pictures that can be cut: no/such/folder: No such file or directory (os error 2)",
        ),
        (
            &["data.images=digits", "data.patterns=4", "data.replacement=true"],
            "data.patterns = 4: must be at least 10, the classes of pictures, because data.images = digits",
        ),
        (
            &["data.images=digits", "data.patterns=16", "data.tokens=3", "model.tokens_per_expert=2"],
            "data.tokens = 3: must be at least 4, the patches of a picture, because data.images = digits",
        ),
        (
            &["data.images=digits", "data.patterns=64"],
            "data.replacement = false: must be true, because data.images = digits has 10 classes and data.tokens = 16",
        ),
        (
            &["data.images=digits", "data.patterns=64", "data.noise=0.1"],
            "data.noise = 0.1: must be 0, because data.images = digits",
        ),
        (
            &["data.images=digits", "data.patterns=64", "data.tokens=8", "pretrained.kind=upstream"],
            "pretrained.upstream_tasks = 8: must be from 1 to 0, because data.features = 1, data.images = digits and \
             data.tokens = 8",
        ),
        (
            &["data.features=2", "pretrained.rare_per_class=7"],
            "pretrained.rare_per_class = 7: must be from 0 to 6, because pretrained.relevant_per_class = 2, \
             data.features = 2 and model.experts = 16",
        ),
        (&["pretrained.copies=3"], "pretrained.copies = 3: must divide pretrained.relevant_per_class = 2"),
        (
            &["pretrained.twins=7"],
            "pretrained.twins = 7: must be from 0 to 6, the pairs that other roles leave of 16 experts",
        ),
        (
            &["record.half_batches=true", "training.training_set=10"],
            "record.half_batches = true: must be false, because training.training_set = 10",
        ),
        (
            &["training.training_set=100000000", "data.tokens=100", "data.replacement=true"],
            "training.training_set = 100000000: must leave the training set within 8 GiB (it would take 37.3 GiB), because \
             data.tokens = 100",
        ),
        (&["certificate.nodes=5", "data.features=2"], "certificate.nodes = 5: must be 0, because data.features = 2"),
    ] {
        let found = refused("", set);
        assert!(found.ends_with(problem), "{found}\nin place of\n{problem}");
    }
    // A certificate is about a model, however it was trained.
    accepted("", &["certificate.nodes=5", "training.entropy=0.1"]);
}

#[test]
fn fails_on_a_claim_that_does_not_apply_outside_the_theory_s_setting() {
    let claim = |more: &str| format!("[[claim]]\nid = \"T1c\"\n{more}");
    assert!(
        refused(&claim(""), &["model.groups=2"]).ends_with(
            "on = met: must be \"all\", because model.groups = 2 is outside the theorems' setting and claim T1c is judged here"
        )
    );
    accepted(&claim("on = \"all\""), &["model.groups=2"]);
    assert!(
        refused(&claim("roles = \"built\""), &["pretrained.kind=upstream"])
            .ends_with("roles = built: must be \"measured\", because pretrained.kind = upstream builds no roles")
    );
    accepted(&claim(""), &["pretrained.kind=upstream"]);
    let bound = "[[claim]]\nid = \"S3\"\nrange = 1\nlambda = 0.1\non = \"all\"";
    assert!(
        refused(bound, &["training.training_set=100"])
            .ends_with("must not be judged at training.training_set = 100: the lemma is about the theory's setting")
    );
}
