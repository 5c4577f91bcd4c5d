//! What follows pruning.

use crate::setting::{errors, rows, small, small_point};
use moe_theory::moe::Pretrained;
use moe_theory::patterns::{Batch, Sampler, Vocabulary};
use moe_theory::run::pruned_engine;
use moe_theory::sgd::EngineChoice;
use moe_theory::sgd::{DenseEngine, Engine, GeneralEngine, Loss, Objective, PatternEngine, Rates, TheoryEngine};
use moe_theory::sim::parameters::Criterion;

#[test]
fn what_follows_pruning_is_what_was_asked_for() {
    let settings = "pruning.finetune_kept=[4,2] pruning.finetune_iterations=10";
    let of = |more: &str| small(&format!("{settings} {more}"), 2);
    let finetuned = of("");
    assert_eq!(rows(&finetuned, Criterion::RouterNormChange, true).len(), 2);
    assert!(rows(&of("pruning.afterwards=nothing"), Criterion::RouterNormChange, true).is_empty());
    // No label is read: a teacher whose labels were noise is learnt all the same.
    let noisy = "data.label_noise=1 pretrained.neuron_scale=0.2";
    let [tuned, distilled] =
        ["fine-tune", "distil"].map(|way| of(&format!("{noisy} pruning.afterwards={way}")).pruning);
    assert_ne!(tuned, distilled);
}

/// Distillation is the squared loss with the unpruned model's f for labels, under either routing.
#[test]
fn distillation_brings_a_pruned_model_near_the_whole_one() {
    for routing in ["", "model.routing=token-choice model.experts_per_token=2", "data.noise=0.1"] {
        let settings = format!(
            "pruning.finetune_kept=[4] pruning.finetune_iterations=40 pruning.afterwards=distil {routing} \
             pretrained.neuron_scale=1 training.iterations=20"
        );
        let record = small(&settings, 2);
        let (parameters, seed) = (small_point(&settings).parameters, record.run.head.seed);
        let start = Pretrained::constructed(&parameters, seed).model;
        let mut teacher = EngineChoice::Auto.build(&start, &parameters, seed);
        let (mut sampler, mut batch) = (Sampler::of_training(&parameters, seed), Batch::default());
        for _ in 0..20 {
            sampler.fill(&mut batch, parameters.training.batch);
            teacher.step(&batch, &Objective::default()).expect("finite");
        }
        let mut order: Vec<usize> = (0..8).collect();
        let delta = |s: usize| record.experts[s].delta.expect("trained");
        order.sort_by(|&a, &b| delta(b).total_cmp(&delta(a)));
        let mut kept = order[..4].to_vec();
        kept.sort_unstable();
        let mut student = pruned_engine(EngineChoice::Auto, &teacher.model(), &kept, None, &parameters, seed);
        let mut sampler = Sampler::of_finetuning(&parameters, seed);
        let objective = Objective { loss: Loss::Squared, ..Objective::default() };
        let mut losses = Vec::new();
        for _ in 0..40 {
            sampler.fill(&mut batch, parameters.training.batch);
            let mut outputs = Vec::new();
            teacher.outputs(&batch, &mut outputs);
            batch.labels = outputs.chunks_exact(8).map(|own| own.iter().sum()).collect();
            losses.push(student.step(&batch, &objective).expect("finite").loss);
        }
        let [first, last] = [&losses[..10], &losses[30..]].map(|some| some.iter().sum::<f64>());
        assert!(last < 0.8 * first, "{routing}: {first} {last}");
        let row = rows(&record, Criterion::RouterNormChange, true)[0].errors;
        assert_eq!(row, Some(errors(student.as_mut(), &parameters, seed)), "{routing}");
    }
}

/// The three engines take the same steps by the squared loss.
#[test]
fn engines_agree_on_the_squared_loss() {
    let parameters = small_point("pretrained.neuron_scale=1").parameters;
    let model = Pretrained::constructed(&parameters, 5).model;
    let rates = Rates::from(&parameters.training);
    let vocabulary = Vocabulary::new(model.patterns, parameters.data.basis, 5);
    let mut engines: [Box<dyn TheoryEngine>; 3] = [
        Box::new(PatternEngine::new(&model, rates)),
        Box::new(DenseEngine::new(&model, vocabulary, rates)),
        Box::new(GeneralEngine::new(&model, &parameters)),
    ];
    let (mut sampler, mut batch) = (Sampler::of_training(&parameters, 5), Batch::default());
    let objective = Objective { loss: Loss::Squared, ..Objective::default() };
    for step in 0..10 {
        sampler.fill(&mut batch, 24);
        // Targets of either side and size.
        batch.labels.iter_mut().enumerate().for_each(|(place, label)| *label *= 0.1 * ((place + step) % 30) as f64);
        let reports = engines.each_mut().map(|engine| engine.step(&batch, &objective).expect("finite"));
        assert!(reports.iter().all(|report| report.active == 24 && (report.loss - reports[0].loss).abs() < 1e-10));
        let models = engines.each_ref().map(|engine| engine.model());
        for other in &models[1..] {
            let pairs =
                models[0].routers.iter().zip(&other.routers).chain(models[0].neurons.iter().zip(&other.neurons));
            assert!(pairs.into_iter().all(|(a, b)| (a - b).abs() < 1e-10));
        }
    }
    assert_ne!(engines[0].model().routers, model.routers);
}

/// Ten iterations of which five choose two experts a token and five one, with the entropy of their own coefficient.
#[test]
fn annealed_choices_fall_to_the_number_of_the_end() {
    let settings = "model.routing=token-choice model.experts_per_token=2 pruning.finetune_kept=[8] \
                    pruning.finetune_iterations=10 pruning.finetune_entropy=0.4 \
                    pretrained.neuron_scale=1 training.iterations=8";
    let of = |more: &str| rows(&small(&format!("{settings} {more}"), 2), Criterion::RouterNormChange, true)[0].errors;
    let annealed = format!("{settings} pruning.final_experts_per_token=1 pruning.anneal=0.5");
    let (parameters, seed) = (small_point(&annealed).parameters, small(&annealed, 2).run.head.seed);
    let mut one = parameters.clone();
    one.model.experts_per_token = 1;
    let mut batch = Batch::default();
    let mut go = |engine: &mut GeneralEngine, sampler: &mut Sampler, iterations: usize, objective: &Objective| {
        for _ in 0..iterations {
            sampler.fill(&mut batch, parameters.training.batch);
            engine.step(&batch, objective).expect("finite");
        }
    };
    let mut engine = GeneralEngine::new(&Pretrained::constructed(&parameters, seed).model, &parameters);
    go(&mut engine, &mut Sampler::of_training(&parameters, seed), 8, &Objective::default());
    let mut objective = Objective::default();
    objective.regularisers.entropy = 0.4;
    let mut sampler = Sampler::of_finetuning(&parameters, seed);
    go(&mut engine, &mut sampler, 5, &objective);
    let mut engine = GeneralEngine::new(&engine.model(), &one);
    go(&mut engine, &mut sampler, 5, &objective);
    let expected = errors(&mut engine, &parameters, seed);
    assert_eq!(of("pruning.final_experts_per_token=1 pruning.anneal=0.5"), Some(expected));
    assert_ne!(of(""), Some(expected), "who goes on choosing two is another model");
}
