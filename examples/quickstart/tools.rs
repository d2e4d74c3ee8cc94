//! The tools: what the model may look up in the shop's books.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::time::sleep;
use traceable::traceable;

use crate::model::{Message, ToolCall};

/// An order of a customer.
#[derive(Debug, Serialize)]
struct Order {
    number: u32,
    tea: &'static str,
    status: &'static str,
}

/// How much there is of a tea.
#[derive(Debug, Serialize)]
struct Stock {
    tea: &'static str,
    tins: u32,
    euros: u32,
}

const ORDERS: &[Order] = &[
    Order { number: 1041, tea: "jasmine", status: "delivered since Monday" },
    Order { number: 1042, tea: "assam", status: "on its way and arrives on Thursday" },
];

const STOCK: &[Stock] = &[
    Stock { tea: "assam", tins: 31, euros: 9 },
    Stock { tea: "jasmine", tins: 12, euros: 12 },
    Stock { tea: "oolong", tins: 0, euros: 18 },
];

/// Why a tool has no answer. The model is told, and makes the best of it.
#[derive(Debug)]
enum ToolError {
    NoSuchOrder(u32),
    NoSuchTea(String),
    NoSuchTool(String),
    Arguments(serde_json::Error),
}

impl fmt::Display for ToolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchOrder(number) => write!(f, "there is no order {number}"),
            Self::NoSuchTea(tea) => write!(f, "we have no tea called {tea}"),
            Self::NoSuchTool(name) => write!(f, "there is no tool {name}"),
            Self::Arguments(error) => write!(f, "wrong arguments: {error}"),
        }
    }
}

/// An `Err` makes the run a failed one, whatever becomes of it above.
#[traceable(run_type = "tool")]
async fn find_order(number: u32) -> Result<&'static Order, ToolError> {
    // Stands for the way to a database, as in the other tool.
    sleep(Duration::from_millis(40)).await;
    ORDERS.iter().find(|order| order.number == number).ok_or(ToolError::NoSuchOrder(number))
}

#[traceable(run_type = "tool")]
async fn check_stock(tea: &str) -> Result<&'static Stock, ToolError> {
    sleep(Duration::from_millis(25)).await;
    STOCK.iter().find(|stock| stock.tea == tea.to_lowercase()).ok_or_else(|| ToolError::NoSuchTea(tea.to_owned()))
}

/// Does what the model asked for, and puts the result in a message.
pub async fn call(call: &ToolCall) -> Message {
    let result = dispatch(call).await.unwrap_or_else(|error| json!({ "error": error.to_string() }));
    Message { tool_call_id: Some(call.id.clone()), ..Message::new("tool", result.to_string()) }
}

async fn dispatch(call: &ToolCall) -> Result<Value, ToolError> {
    #[derive(Deserialize)]
    struct OrderNumber {
        number: u32,
    }
    #[derive(Deserialize)]
    struct TeaName {
        tea: String,
    }

    let arguments = call.function.arguments.as_str();
    match call.function.name.as_str() {
        "find_order" => {
            let OrderNumber { number } = serde_json::from_str(arguments).map_err(ToolError::Arguments)?;
            Ok(json!(find_order(number).await?))
        }
        "check_stock" => {
            let TeaName { tea } = serde_json::from_str(arguments).map_err(ToolError::Arguments)?;
            Ok(json!(check_stock(&tea).await?))
        }
        other => Err(ToolError::NoSuchTool(other.to_owned())),
    }
}

/// The tools as the model is told of them.
pub fn described() -> Value {
    let tool = |name: &str, description: &str, argument: &str, kind: &str| {
        json!({
            "type": "function",
            "function": {
                "name": name,
                "description": description,
                "parameters": {
                    "type": "object",
                    "properties": { argument: { "type": kind } },
                    "required": [argument],
                },
            },
        })
    };
    json!([
        tool("find_order", "Where an order is", "number", "integer"),
        tool("check_stock", "How much there is of a tea: assam, jasmine, oolong", "tea", "string"),
    ])
}
