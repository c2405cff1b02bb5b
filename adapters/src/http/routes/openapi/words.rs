//! What operations are described with.

use serde_json::{Value, json};
use utoipa::openapi::{
    ArrayBuilder, Content, ContentBuilder, HeaderBuilder, HttpMethod, ObjectBuilder, PathItem, Ref,
    RefOr, Required, Response, ResponseBuilder, Schema, Type,
    path::{Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn},
    request_body::{RequestBody, RequestBodyBuilder},
    schema::{KnownFormat, SchemaFormat},
};

pub(super) const BAD_QUERY: (u16, &str) =
    (400, "A parameter is missing, unknown, there twice, or badly encoded.");
pub(super) const BAD_VALUE: (u16, &str) =
    (422, "A value that cannot be; the response names its field.");
pub(super) const FOREIGN: (u16, &str) = (403, "A page of another site asks for it.");

/// An operation that is being described.
pub(super) struct Told {
    method: HttpMethod,
    operation: OperationBuilder,
}

impl Told {
    pub(super) fn new(method: HttpMethod, tag: &str, id: &str, summary: &str) -> Self {
        let operation =
            OperationBuilder::new().tag(tag).operation_id(Some(id)).summary(Some(summary));
        Self { method, operation }
    }

    fn with(self, change: impl FnOnce(OperationBuilder) -> OperationBuilder) -> Self {
        Self { operation: change(self.operation), ..self }
    }

    pub(super) fn about(self, description: &str) -> Self {
        self.with(|operation| operation.description(Some(description)))
    }

    pub(super) fn parameter(self, parameter: Parameter) -> Self {
        self.with(|operation| operation.parameter(parameter))
    }

    pub(super) fn body(self, schema: &str, example: Option<Value>) -> Self {
        self.body_of(view(schema), example)
    }

    pub(super) fn body_of(self, schema: impl Into<RefOr<Schema>>, example: Option<Value>) -> Self {
        let content = ContentBuilder::new().schema(Some(schema)).example(example).build();
        let body: RequestBody = RequestBodyBuilder::new()
            .content("application/json", content)
            .required(Some(Required::True))
            .build();
        self.with(|operation| operation.request_body(Some(body)))
    }

    /// A form of these fields, as a browser sends it.
    pub(super) fn form(self, fields: &[&str], example: Value) -> Self {
        let text = || ObjectBuilder::new().schema_type(Type::String).build();
        let form =
            fields.iter().fold(ObjectBuilder::new(), |form, field| form.property(*field, text()));
        let content =
            ContentBuilder::new().schema(Some(form.build())).example(Some(example)).build();
        let body: RequestBody = RequestBodyBuilder::new()
            .content("application/x-www-form-urlencoded", content)
            .required(Some(Required::True))
            .build();
        self.with(|operation| operation.request_body(Some(body)))
    }

    pub(super) fn answer(self, status: &str, response: impl Into<RefOr<Response>>) -> Self {
        self.with(|operation| operation.response(status, response))
    }

    /// Errors shown as problems.
    pub(super) fn problems(self, errors: &[(u16, &str)]) -> Self {
        self.errors(errors, |about| {
            let problem = Content::new(Some(view("Problem")));
            ResponseBuilder::new().description(about).content("application/problem+json", problem)
        })
    }

    /// Errors shown as a line of text.
    pub(super) fn lines(self, errors: &[(u16, &str)]) -> Self {
        self.errors(errors, |about| {
            let line = Content::new(Some(text_schema()));
            ResponseBuilder::new().description(about).content("text/plain", line)
        })
    }

    fn errors(self, errors: &[(u16, &str)], told: fn(&str) -> ResponseBuilder) -> Self {
        let common = [
            (421, "The host is no name of the shop."),
            (500, "A fault of ours."),
            (504, "It took too long."),
        ];
        let with_errors = errors.iter().chain(&common).fold(self, |operation, (status, about)| {
            operation.answer(&status.to_string(), told(about).build())
        });
        let unavailable = told(
            "Too much is going on, what it needs is unavailable, or (as application/json) the client \
             has spent its requests.",
        )
        .header("Retry-After", header("Seconds until the next try.", Type::Integer))
        .content(
            "application/json",
            ContentBuilder::new()
                .schema(Some(view("RateLimited")))
                .example(Some(rate_limited()))
                .build(),
        );
        with_errors.answer("503", unavailable.build())
    }

    pub(super) fn item(self, path: &mut PathItem) {
        let operation: Operation = self.operation.build();
        path.merge_operations(PathItem::new(self.method, operation));
    }
}

/// What a client gets that has spent its requests, as the original system's gateway has it.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "only shows how it is written")]
pub(super) struct RateLimited {
    /// What has happened.
    error: String,
    /// The same once more.
    message: String,
    /// The status again.
    #[schema(example = 503)]
    status: u16,
}

fn rate_limited() -> Value {
    json!({"error": "Rate limit exceeded", "message": "Too many requests", "status": 503})
}

/// A schema of the components.
pub(super) fn view(name: &str) -> Ref {
    Ref::from_schema_name(name)
}

/// An array of a schema of the components.
pub(super) fn array_of(name: &str) -> Schema {
    ArrayBuilder::new().items(view(name)).build().into()
}

pub(super) fn text_schema() -> Schema {
    ObjectBuilder::new().schema_type(Type::String).build().into()
}

pub(super) fn whole_number(min: u32, max: u32, default: Option<u32>) -> Schema {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(min))
        .maximum(Some(max))
        .default(default.map(Value::from))
        .build()
        .into()
}

pub(super) fn uuid() -> Schema {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)))
        .build()
        .into()
}

pub(super) fn name() -> Schema {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(200))
        .build()
        .into()
}

pub(super) fn query(name: &str, required: Required, schema: Schema, about: &str) -> Parameter {
    parameter(ParameterIn::Query, name, required, schema, about)
}

pub(super) fn in_path(name: &str, schema: Schema, about: &str) -> Parameter {
    parameter(ParameterIn::Path, name, Required::True, schema, about)
}

pub(super) fn in_header(name: &str, schema: Schema, about: &str) -> Parameter {
    parameter(ParameterIn::Header, name, Required::False, schema, about)
}

fn parameter(
    within: ParameterIn,
    name: &str,
    required: Required,
    schema: Schema,
    about: &str,
) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(within)
        .required(required)
        .schema(Some(schema))
        .description(Some(about))
        .build()
}

pub(super) fn header(about: &str, of: Type) -> utoipa::openapi::Header {
    let schema = ObjectBuilder::new().schema_type(of).build();
    HeaderBuilder::new().schema(Some(schema)).description(Some(about)).build()
}

/// A response of JSON.
pub(super) fn json_of(schema: &str, about: &str) -> ResponseBuilder {
    ResponseBuilder::new()
        .description(about)
        .content("application/json", Content::new(Some(view(schema))))
}

/// A response of text.
pub(super) fn text_like(example: &str, about: &str) -> ResponseBuilder {
    typed("text/plain", Some(example), ResponseBuilder::new().description(about))
}

/// One more form of a response, as text of this type.
pub(super) fn typed(
    media_type: &str,
    example: Option<&str>,
    response: ResponseBuilder,
) -> ResponseBuilder {
    let content =
        ContentBuilder::new().schema(Some(text_schema())).example(example.map(Value::from)).build();
    response.content(media_type, content)
}

/// A `GET`.
pub(super) fn get(tag: &str, id: &str, summary: &str) -> Told {
    Told::new(HttpMethod::Get, tag, id, summary)
}
