use super::Entry;

/// Entries of one piece of memory: 295 kB.
const PIECE: usize = 1 << 12;

/// Entries by position, in pieces that never move: growing copies nothing and leaves no half-empty vector behind.
#[derive(Debug, Default)]
pub struct Store {
    /// All full but the last.
    pieces: Vec<Vec<Entry>>,
}

impl Store {
    pub fn len(&self) -> usize {
        let full = self.pieces.len().saturating_sub(1) * PIECE;
        full + self.pieces.last().map_or(0, Vec::len)
    }

    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.pieces.iter().flatten()
    }

    pub fn get(&self, at: u32) -> &Entry {
        &self.pieces[at as usize / PIECE][at as usize % PIECE]
    }

    pub fn get_mut(&mut self, at: u32) -> &mut Entry {
        &mut self.pieces[at as usize / PIECE][at as usize % PIECE]
    }

    /// Adds an entry and returns its position.
    pub fn push(&mut self, entry: Entry) -> u32 {
        let at = u32::try_from(self.len()).expect("fewer than 2^32 accounts");
        match self.pieces.last_mut() {
            Some(last) if last.len() < PIECE => last.push(entry),
            _ => {
                let mut piece = Vec::with_capacity(PIECE);
                piece.push(entry);
                self.pieces.push(piece);
            }
        }
        at
    }

    /// The last position. Not of an empty store.
    pub fn last(&self) -> u32 {
        u32::try_from(self.len() - 1).expect("fewer than 2^32 accounts")
    }

    /// Takes an entry out; the last one takes its position.
    pub fn swap_remove(&mut self, at: u32) {
        let Some(entry) = self.pieces.last_mut().and_then(Vec::pop) else {
            return;
        };
        if self.pieces.last().is_some_and(Vec::is_empty) {
            self.pieces.pop();
        }
        if (at as usize) < self.len() {
            *self.get_mut(at) = entry;
        }
    }
}
