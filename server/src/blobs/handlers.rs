//! Attachments over HTTP.

use super::rows::Kept;
use crate::{
    App, Error, Result, Shared,
    caller::Caller,
    delivery::Stretch,
    extract::{Json, Path, read_at_most},
};
use axum::{
    body::Body,
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use firstlight_protocol::{
    AttachmentId, ErrorCode, Problem, RoomId,
    api::{AttachmentView, BeginAttachment},
    attachment::Shape,
};

/// Begins an attachment of a room; sent again, it says what is there already.
///
/// Whoever may read the announcing message and is a member of the room now may read the attachment: those who joined later
/// may not, as with the log. It is kept as long as the log keeps that message; one whose message is not in the log 24 hours
/// after its last chunk came is deleted.
#[utoipa::path(post, path = "/v1/rooms/{room}/attachments", tag = "attachments", params(("room" = RoomId, Path)),
    request_body = BeginAttachment, responses((status = 200, body = AttachmentView), (status = "4XX", body = Problem)))]
pub(super) async fn begin(
    State(app): State<Shared>,
    caller: Caller,
    Path(room): Path<RoomId>,
    Json(request): Json<BeginAttachment>,
) -> Result<Json<AttachmentView>> {
    let now = app.clock.now();
    let most = app.config.attachments.max_mib;
    let largest = Shape::of_file(most << 20).filter(|_| most > 0);
    if largest.is_none_or(|largest| request.size > largest.sealed()) {
        return Err(Problem::with(ErrorCode::TooLarge, format!("An attachment may have {most} MiB here.")).into());
    }
    if Shape::of_sealed(request.size).is_none() {
        return Err(Problem::with(ErrorCode::InvalidValue, "No file has as many sealed bytes.").into());
    }
    app.blobs.begins.check(caller.device, now)?;
    let (id, limits) = (request.id, app.config.attachments.clone());
    let own = caller.clone();
    app.store
        .write(move |tx| Box::pin(async move { tx.begin_attachment(&own, room, &request, &limits, now).await }))
        .await?;
    view(&app, &caller, room, id).await
}

/// An attachment, and which of its chunks are there: where its sender goes on, and what a reader can fetch.
#[utoipa::path(get, path = "/v1/rooms/{room}/attachments/{attachment}", tag = "attachments",
    params(("room" = RoomId, Path), ("attachment" = AttachmentId, Path)),
    responses((status = 200, body = AttachmentView), (status = "4XX", body = Problem)))]
pub(super) async fn state(
    State(app): State<Shared>,
    caller: Caller,
    Path((room, attachment)): Path<(RoomId, AttachmentId)>,
) -> Result<Json<AttachmentView>> {
    view(&app, &caller, room, attachment).await
}

/// One sealed chunk, from the device that began the attachment: in any order, again without harm, until it is complete.
#[utoipa::path(put, path = "/v1/rooms/{room}/attachments/{attachment}/chunks/{n}", tag = "attachments",
    params(("room" = RoomId, Path), ("attachment" = AttachmentId, Path), ("n" = u32, Path)),
    request_body(content_type = "application/octet-stream", description = "262,160 bytes; the last chunk: what is left."),
    responses((status = 204, description = "It is there."), (status = "4XX", body = Problem)))]
pub(super) async fn put_chunk(
    State(app): State<Shared>,
    caller: Caller,
    Path((room, attachment, n)): Path<(RoomId, AttachmentId, u32)>,
    request: Request,
) -> Result<StatusCode> {
    let kept = own(&app, &caller, room, attachment).await?;
    let length = kept.shape.sealed_chunk(n).ok_or(ErrorCode::NotFound)?;
    app.blobs.transfer(caller.device, app.clock.now())?;
    // Nothing is read for somebody who may not send it.
    let bytes = read_at_most(request, length).await?;
    if bytes.len() != length {
        return Err(Problem::with(ErrorCode::InvalidValue, format!("This chunk has {length} bytes.")).into());
    }
    if kept.complete {
        return Ok(StatusCode::NO_CONTENT);
    }
    app.blobs.chunks.put(attachment, n, bytes).await?;
    let now = app.clock.now();
    let noted = app.store.write(move |tx| Box::pin(async move { tx.note_chunk(attachment, n, now).await })).await;
    if matches!(&noted, Err(Error::Refused(problem)) if problem.code == ErrorCode::NotFound) {
        // It was deleted meanwhile; should this fail, the comparison finds the chunk.
        app.blobs.chunks.delete(vec![super::place::path(attachment, n)]).await?;
    }
    noted.map(|()| StatusCode::NO_CONTENT)
}

/// All chunks are there: from now on none can be changed, and others may read them once the message is in the log.
#[utoipa::path(post, path = "/v1/rooms/{room}/attachments/{attachment}/complete", tag = "attachments",
    params(("room" = RoomId, Path), ("attachment" = AttachmentId, Path)),
    responses((status = 200, body = AttachmentView), (status = "4XX", body = Problem)))]
pub(super) async fn complete(
    State(app): State<Shared>,
    caller: Caller,
    Path((room, attachment)): Path<(RoomId, AttachmentId)>,
) -> Result<Json<AttachmentView>> {
    let (kept, now) = (own(&app, &caller, room, attachment).await?, app.clock.now());
    let done =
        app.store.write(move |tx| Box::pin(async move { tx.complete_attachment(attachment, kept.shape, now).await }));
    done.await?;
    view(&app, &caller, room, attachment).await
}

/// One sealed chunk, for whoever may read the message that announces the attachment.
#[utoipa::path(get, path = "/v1/rooms/{room}/attachments/{attachment}/chunks/{n}", tag = "attachments",
    params(("room" = RoomId, Path), ("attachment" = AttachmentId, Path), ("n" = u32, Path)),
    responses((status = 200, description = "The chunk.", content_type = "application/octet-stream"),
    (status = "4XX", body = Problem)))]
pub(super) async fn get_chunk(
    State(app): State<Shared>,
    caller: Caller,
    Path((room, attachment, n)): Path<(RoomId, AttachmentId, u32)>,
) -> Result<Response> {
    let kept = readable(&app, &caller, room, attachment).await?;
    kept.shape.sealed_chunk(n).filter(|_| kept.complete).ok_or(ErrorCode::NotFound)?;
    app.blobs.transfer(caller.device, app.clock.now())?;
    let (length, parts) = app.blobs.chunks.get(attachment, n).await?;
    let headers =
        [(header::CONTENT_TYPE, "application/octet-stream".to_owned()), (header::CONTENT_LENGTH, length.to_string())];
    Ok((headers, Body::from_stream(parts)).into_response())
}

async fn view(app: &App, caller: &Caller, room: RoomId, attachment: AttachmentId) -> Result<Json<AttachmentView>> {
    let kept = readable(app, caller, room, attachment).await?;
    Ok(Json(app.store.attachment_view(attachment, &kept).await?))
}

/// An attachment of the calling device, which has to be a member of the room.
async fn own(app: &App, caller: &Caller, room: RoomId, attachment: AttachmentId) -> Result<Kept> {
    app.store.require_member(room, caller.device).await?;
    let kept = app.store.attachment(room, attachment).await?;
    if kept.device == caller.device { Ok(kept) } else { Err(ErrorCode::NotFound.into()) }
}

/// An attachment that the calling device sends, or whose message it may read. Who is not a member now reads nothing.
async fn readable(app: &App, caller: &Caller, room: RoomId, attachment: AttachmentId) -> Result<Kept> {
    let stretch = app.store.stretch(room, caller.device).await?;
    let Some(Stretch { after, until: None }) = stretch else { return Err(ErrorCode::NotAMember.into()) };
    let kept = app.store.attachment(room, attachment).await?;
    let announced = kept.announced.is_some_and(|seq| seq > after);
    if kept.device == caller.device || announced { Ok(kept) } else { Err(ErrorCode::NotFound.into()) }
}
