use super::lines::At;

/// The services that are our programs, by the names of their images.
const PROGRAMS: &[&str] =
    &["misc-service", "product-service", "order-service", "order-worker", "woodytoys"];
/// Our other images.
const OTHERS: &[&str] = &["gateway", "front", "woodyctl"];

/// The name of an image, as it is written and as it is once filled in.
#[derive(Debug, Clone)]
pub(super) struct Image {
    pub(super) written: String,
    pub(super) name: At<String>,
}

impl Image {
    /// The last part of its name, without registry, tag and digest.
    pub(super) fn base(&self) -> &str {
        let last = self.last_part();
        last.split_once(':').map_or(last, |(base, _)| base)
    }

    /// Its tag, if it has one.
    pub(super) fn tag(&self) -> Option<&str> {
        self.last_part().split_once(':').map(|(_, tag)| tag)
    }

    /// The first number of its tag: the major version of an official image.
    pub(super) fn major(&self) -> Option<u32> {
        let tag = self.tag()?;
        tag.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
    }

    /// Whether its tag names Debian's or Alpine's variant of an official image.
    pub(super) fn is_alpine(&self) -> bool {
        self.tag().is_some_and(|tag| tag.contains("alpine"))
    }

    /// Whether it is named by what is in it.
    pub(super) fn has_digest(&self) -> bool {
        self.name.value.contains('@')
    }

    /// A registry may have a port, so only the last part is looked at.
    fn last_part(&self) -> &str {
        let name = self.name.value.split('@').next().unwrap_or_default();
        name.rsplit('/').next().unwrap_or_default()
    }

    /// Whether one of our programs is in it.
    pub(super) fn is_program(&self) -> bool {
        PROGRAMS.contains(&self.base())
    }

    /// Whether it has one program in it, and nothing else: no shell, no curl.
    pub(super) fn is_bare(&self) -> bool {
        self.is_program() || self.base() == "woodyctl"
    }

    /// Whether it is made from this repository.
    pub(super) fn is_ours(&self) -> bool {
        self.is_program() || OTHERS.contains(&self.base())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_of_a_registry_is_no_tag() {
        for (name, base, tag, has_digest) in [
            ("nginx", "nginx", None, false),
            ("registry:5000/shop/order-worker", "order-worker", None, false),
            ("registry:5000/shop/order-worker:1.2", "order-worker", Some("1.2"), false),
            ("postgres:18@sha256:0a", "postgres", Some("18"), true),
            ("postgres@sha256:0a", "postgres", None, true),
        ] {
            let name = At { value: name.to_owned(), line: 1 };
            let image = Image { written: name.value.clone(), name };
            assert_eq!((image.base(), image.tag(), image.has_digest()), (base, tag, has_digest));
        }
    }
}
