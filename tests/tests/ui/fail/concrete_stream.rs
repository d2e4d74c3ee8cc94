use traceable::traceable;

struct ReceiverStream<T>(T);
struct ChatStream;

#[traceable]
fn concrete() -> ReceiverStream<u8> {
    ReceiverStream(1)
}

#[traceable(stream, reduce_fn = join)]
async fn told() -> Result<ChatStream, ()> {
    Ok(ChatStream)
}

#[traceable(stream = false)]
fn data() -> ChatStream {
    ChatStream
}

fn main() {
    data();
}
