//! Pages of the catalogue, bounded in products and in bytes.

use std::sync::Arc;

use woody_core::{
    domain::{Part, Parts, ProductName},
    services::Catalogue,
};
use woody_store::MemoryStore;

/// About as large as a product can be that came in over HTTP.
fn large() -> Parts {
    let name = ProductName::parse(&"p".repeat(200)).unwrap();
    let part = Part { name, width_mm: 10, height_mm: 10, count: 1, grain: false };
    Parts::new(vec![part; 200]).unwrap()
}

/// A catalogue with products `0`, `1`, … of which `is_large` says which are large.
async fn catalogue(products: usize, is_large: fn(usize) -> bool) -> Catalogue {
    let catalogue = Catalogue::new(Arc::new(MemoryStore::new()));
    for i in 0..products {
        let name = ProductName::parse(&i.to_string()).unwrap();
        let parts = if is_large(i) { large() } else { Parts::default() };
        catalogue.add(name, parts).await.unwrap();
    }
    catalogue
}

/// The names on each page of at most `limit`.
async fn pages(catalogue: &Catalogue, limit: usize) -> Vec<Vec<String>> {
    let (mut pages, mut after) = (Vec::new(), None);
    loop {
        let page = catalogue.page(after, limit).await.unwrap();
        pages.push(page.products.iter().map(|product| product.name.to_string()).collect());
        after = page.next;
        if after.is_none() {
            return pages;
        }
    }
}

fn newest_first(products: usize) -> Vec<String> {
    (0..products).rev().map(|i| i.to_string()).collect()
}

#[tokio::test]
async fn small_products_fill_a_page_and_every_product_is_on_one() {
    for products in [0, 1, 49, 50, 51, 100, 199, 200, 201, 400, 401] {
        let catalogue = catalogue(products, |_| false).await;
        for limit in [1, 7, 50, 51, 199, 200] {
            let pages = pages(&catalogue, limit).await;
            assert_eq!(pages.concat(), newest_first(products), "{products} by {limit}");
            let full = pages.len() - 1;
            assert!(pages[..full].iter().all(|page| page.len() == limit), "{products} by {limit}");
            assert!(products == 0 || !pages[full].is_empty(), "{products} by {limit}");
        }
    }
}

#[tokio::test]
async fn large_products_make_short_pages_and_every_product_is_on_one() {
    for is_large in [(|_| true) as fn(usize) -> bool, |i| i % 7 == 0, |i| i == 0, |i| i == 119] {
        let catalogue = catalogue(120, is_large).await;
        let pages = pages(&catalogue, 200).await;
        assert_eq!(pages.concat(), newest_first(120));
        for page in &pages {
            let large = page.iter().filter(|name| is_large(name.parse().unwrap())).count();
            assert!(large <= 5, "{large} large ones on one page");
            assert!(!page.is_empty());
        }
    }
}
