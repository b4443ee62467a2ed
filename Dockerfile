FROM python:3.12-slim
RUN useradd --create-home --uid 1000 lethe
WORKDIR /home/lethe/app
COPY requirements.txt .
RUN pip install --no-cache-dir "$(grep '^torch==' requirements.txt)" && pip install --no-cache-dir -r requirements.txt
COPY --chown=lethe . .
RUN mkdir /home/lethe/runs && chown lethe /home/lethe/runs
USER lethe
ENV HOST=0.0.0.0 LETHE_RUNS=/home/lethe/runs
EXPOSE 7860
CMD ["python", "app.py"]
