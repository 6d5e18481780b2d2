import type { NoticeView } from "../../shared/contract/notice.ts";
import type { Notice } from "../../shared/db/notices.ts";
import { NOTICES } from "../../shared/domain/notice.ts";

export function presentNotice({
  id,
  kind,
  subjectId,
  reason,
  addedAt,
  readAt,
}: Notice): NoticeView {
  return {
    id,
    kind,
    title: NOTICES[kind],
    subjectId,
    reason,
    addedAt: addedAt.toISOString(),
    readAt: readAt?.toISOString() ?? null,
  };
}
