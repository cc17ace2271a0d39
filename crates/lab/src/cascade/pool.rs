//! Many tasks on all processors.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use super::LabError;

/// Does every task; results in the order of the tasks, whatever the processors do. `watch` is told how many are done.
///
/// # Errors
/// That of the first task, in their order, that failed.
pub fn all<T: Sync, R: Send>(
    tasks: &[T],
    work: impl Fn(&T) -> Result<R, LabError> + Sync,
    watch: &mut (dyn FnMut(usize) + Send),
) -> Result<Vec<R>, LabError> {
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicUsize::new(0);
    let results: Mutex<Vec<(usize, Result<R, LabError>)>> = Mutex::new(Vec::with_capacity(tasks.len()));
    let watch = Mutex::new(watch);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(task) = tasks.get(index) else {
                        return;
                    };
                    let result = work(task);
                    // A worker that panics takes the others with it when the scope ends.
                    let done = results.lock().map_or(0, |mut results| {
                        results.push((index, result));
                        results.len()
                    });
                    if let Ok(mut watch) = watch.lock() {
                        watch(done);
                    }
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_in_the_order_of_the_tasks() {
        let tasks: Vec<u64> = (0..1_000).collect();
        let mut seen = 0;
        let doubled = all(&tasks, |task| Ok(task * 2), &mut |done| seen = seen.max(done)).expect("no task fails");
        assert_eq!(doubled, tasks.iter().map(|task| task * 2).collect::<Vec<_>>());
        assert_eq!(seen, 1_000);
    }

    #[test]
    fn the_first_failure_is_told() {
        let work = |task: &u32| {
            if *task < 5 {
                Ok(*task)
            } else {
                Err(LabError::Syntax(task.to_string()))
            }
        };
        let error = all(&(0..100).collect::<Vec<_>>(), work, &mut |_| ()).expect_err("some fail");
        assert_eq!(error.to_string(), "the scenario does not parse: 5");
    }
}
