//! t
use moe_theory::{
    moe::Pretrained,
    patterns::Sampler,
    sgd::{Engine, PatternEngine, Rates, train, train::Schedule},
    sim::parameters::*,
};
fn main() {
    let s0: f64 = std::env::args().nth(1).unwrap().parse().unwrap();
    let b: usize = std::env::args().nth(2).unwrap().parse().unwrap();
    let t: usize = std::env::args().nth(3).unwrap().parse().unwrap();
    let runs: u64 = std::env::args().nth(4).unwrap().parse().unwrap();
    let d = 128;
    let p = Parameters {
        data: DataParameters {
            patterns: d,
            tokens: 16,
            replacement: false,
            noise: 0.0,
            class_share: 0.5,
            basis: Basis::Canonical,
            labels: Labels::Class,
        },
        model: ModelParameters {
            experts: 16,
            neurons: 16,
            tokens_per_expert: 4,
            routing: Routing::ExpertChoice,
            signs: Signs::Alternating,
        },
        pretrained: PretrainedParameters {
            kind: PretrainedKind::Constructed,
            relevant_per_class: 2,
            misaligned: 0,
            specialisation: 0.5,
            special_patterns: 0,
            router_scale: 1.0,
            router_scale_relevant: 1.0,
            router_noise: 0.05,
            neuron_scale: s0,
            neuron_scale_relevant: s0,
            neuron_scale_misaligned: s0,
            gauge_relevant: 0.0,
        },
        training: TrainingParameters {
            router_rate: 0.2,
            expert_rate: 1.6,
            batch: b,
            iterations: t,
            zero_loss_window: 0,
        },
        pruning: PruningParameters {
            criterion: Criterion::RouterNormChange,
            order: PruningOrder::SmallestFirst,
            finetune_iterations: 50,
            finetune_kept: Kept::Listed(vec![]),
        },
        roles: RolesParameters { relevant_min: 0.5, irrelevant_max: 0.02, proficiency_samples: 100 },
        evaluation: EvaluationParameters { samples: 2000 },
        record: RecordParameters { trajectory_runs: 0, record_every: 0 },
        assumptions: AssumptionParameters {
            batch_per_pattern_min: 1.0,
            imbalance_max: 0.05,
            norm_max: 2.0,
            activation_max: 0.75,
            travel_min: 20.0,
            router_rate_max: 1.0,
        },
    };
    let start = std::time::Instant::now();
    let (mut a, mut bb, mut c) = (vec![], vec![], vec![]);
    for seed in 0..runs {
        let pre = Pretrained::constructed(&p, seed);
        let mut e = PatternEngine::new(&pre.model, 16, Rates::from(&p.training));
        let mut sm = Sampler::training(&p.data, seed);
        train(&mut e, &mut sm, Schedule { batch: b, iterations: t, zero_loss_window: 0 }, &mut []);
        let r = e.routers();
        let norm = |x: &[f64]| x.iter().map(|v| v * v).sum::<f64>().sqrt();
        let (mut mr, mut mi, mut md) = (f64::INFINITY, 0.0f64, 0.0f64);
        for s in 0..16 {
            let w = &r[s * d..][..d];
            let w0 = pre.model.router(s);
            let delta = norm(w) - norm(w0);
            let dist = norm(&w.iter().zip(w0).map(|(a, b)| a - b).collect::<Vec<_>>());
            if s < 4 {
                mr = mr.min(delta)
            } else {
                mi = mi.max(delta.abs());
                md = md.max(dist)
            }
        }
        a.push(mr);
        bb.push(mi);
        c.push(md);
    }
    let el = start.elapsed().as_secs_f64();
    let med = |v: &mut Vec<f64>| {
        v.sort_by(f64::total_cmp);
        v[v.len() / 2]
    };
    println!(
        "{} {} {}  {:.3}s {:.0} samples/s",
        med(&mut a),
        med(&mut bb),
        med(&mut c),
        el,
        (runs as usize * b * t) as f64 / el
    );
}
