use std::{collections::HashMap, sync::Arc};

use super::quota::{Count, NoRoom, Room};
use crate::key::KeyId;

/// The callers of whom one shard has entries. Each has a number, which an entry keeps in the place of its name.
#[derive(Default)]
pub(super) struct Callers {
    numbers: HashMap<KeyId, Number>,
    by_number: Vec<Option<Member>>,
    free: Vec<Number>,
}

/// A caller's number, which no other has while the shard has entries of this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Number(u32);

struct Member {
    caller: KeyId,
    /// How many entries the whole store has of this caller.
    used: Arc<Count>,
    /// How many of them this shard has.
    here: usize,
}

impl Callers {
    /// Takes the room of one entry.
    pub(super) fn reserve(&mut self, caller: &KeyId, room: &Room) -> Result<Number, NoRoom> {
        let number = match self.numbers.get(caller) {
            Some(number) => *number,
            None => self.join(caller, room)?,
        };
        let member = self.member(number).ok_or(NoRoom::Unavailable)?;
        let reserved = room.reserve(&member.used);
        if reserved.is_ok() {
            member.here = member.here.saturating_add(1);
        }
        self.leave_if_unused(number, room);
        reserved.map(|()| number)
    }

    /// Gives back the room of so many entries of one caller that were removed.
    pub(super) fn release(&mut self, number: Number, entries: usize, room: &Room) {
        if let Some(member) = self.member(number) {
            room.release(&member.used, entries);
            member.here = member.here.saturating_sub(entries);
        }
        self.leave_if_unused(number, room);
    }

    fn join(&mut self, caller: &KeyId, room: &Room) -> Result<Number, NoRoom> {
        let number = match self.free.last() {
            Some(number) => *number,
            None => Number(u32::try_from(self.by_number.len()).map_err(|_| NoRoom::Unavailable)?),
        };
        let member = Member {
            caller: caller.clone(),
            used: room.join(caller)?,
            here: 0,
        };
        match self.free.pop() {
            Some(_) => *self.place(number).ok_or(NoRoom::Unavailable)? = Some(member),
            None => self.by_number.push(Some(member)),
        }
        self.numbers.insert(caller.clone(), number);
        Ok(number)
    }

    fn leave_if_unused(&mut self, number: Number, room: &Room) {
        let unused = self
            .place(number)
            .and_then(|place| place.take_if(|member| member.here == 0));
        if let Some(member) = unused {
            self.numbers.remove(&member.caller);
            self.free.push(number);
            room.leave(member.caller, member.used);
        }
    }

    fn member(&mut self, number: Number) -> Option<&mut Member> {
        self.place(number)?.as_mut()
    }

    fn place(&mut self, number: Number) -> Option<&mut Option<Member>> {
        self.by_number.get_mut(usize::try_from(number.0).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_goes_to_another_caller_only_when_no_entry_has_it() {
        let (mut callers, room) = (Callers::default(), Room::new(2, 10));
        let [a, b, c] = ["a", "b", "c"].map(|name| KeyId::new(name).unwrap());
        let of_a = callers.reserve(&a, &room).unwrap();
        assert_eq!(callers.reserve(&a, &room), Ok(of_a));
        let of_b = callers.reserve(&b, &room).unwrap();
        assert_ne!(of_a, of_b);
        callers.release(of_a, 1, &room);
        let of_c = callers.reserve(&c, &room).unwrap();
        assert!(of_c != of_a && of_c != of_b);
        callers.release(of_a, 1, &room);
        assert_eq!(callers.reserve(&KeyId::new("d").unwrap(), &room), Ok(of_a));
        assert_eq!(room.entries(), 3);
    }

    #[test]
    fn a_caller_without_room_leaves_nothing_behind() {
        let (mut callers, room) = (Callers::default(), Room::new(1, 1));
        let [a, b] = ["a", "b"].map(|name| KeyId::new(name).unwrap());
        callers.reserve(&a, &room).unwrap();
        assert_eq!(callers.reserve(&b, &room), Err(NoRoom::Unavailable));
        assert_eq!(callers.numbers.len(), 1);
        assert_eq!(callers.free.len(), 1);
    }
}
