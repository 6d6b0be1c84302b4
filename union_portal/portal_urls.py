"""Doors of the kernel itself: protected files and the progress of jobs."""

from django.urls import path

from union_portal.views import files, jobs

urlpatterns = [
    path("file/<uuid:file_id>/", files.file, name="file"),
    path("job/<uuid:job_id>/", jobs.job, name="job"),
    path("job/<uuid:job_id>/cancel/", jobs.job_cancel, name="job-cancel"),
    path("job/<uuid:job_id>/retry/", jobs.job_retry, name="job-retry"),
]
